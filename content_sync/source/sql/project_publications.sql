-- A row says that one publication came out of one project.
SELECT project_id,
       publication_id
FROM web.project_publications

-- A row says that one deliverable was handed in as, or led to, one publication.
SELECT deliverable_id,
       publication_id
FROM web.deliverable_publications

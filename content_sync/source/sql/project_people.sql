-- A row is one person's role in one project.
SELECT project_id,
       person_id,
       role,
       position
FROM web.project_people

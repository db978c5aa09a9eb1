-- A row is one result that a project owes, with its plan and what came of it.
SELECT id,
       project_id,
       title,
       due_on,
       submitted_on,
       accepted_on,
       status,
       access
FROM web.deliverables

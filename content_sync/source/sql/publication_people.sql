-- A row is one person in one role on one publication, in printed order.
SELECT publication_id,
       role,
       position,
       person_id,
       name,
       affiliation
FROM web.publication_people

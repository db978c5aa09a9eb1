-- A row is one person: an identity, not a printed name.
SELECT id,
       given_name,
       family_name,
       orcid,
       institution_id,
       home_page,
       is_student
FROM web.people

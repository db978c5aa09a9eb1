-- A row is one organisation that people and projects belong to.
SELECT id,
       name,
       ror,
       city,
       country,
       is_member_company
FROM web.institutions

-- A row is one confirmed e-mail address of one person; it is never published.
SELECT person_id,
       address
FROM web.people_accounts

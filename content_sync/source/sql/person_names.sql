-- A row is one further form of a person's name, in any script.
SELECT person_id,
       name
FROM web.person_names

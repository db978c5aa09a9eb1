-- A row is one topic in a tree of topics.
SELECT id,
       name,
       parent_id
FROM web.topics

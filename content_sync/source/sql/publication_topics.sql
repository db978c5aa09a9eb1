-- A row says that one publication is about one topic.
SELECT publication_id,
       topic_id
FROM web.publication_topics

-- A row says that one publication is presented in one session.
SELECT session_id,
       publication_id
FROM web.session_publications

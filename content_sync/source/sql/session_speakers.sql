-- A row is one speaker of one session.
SELECT session_id,
       position,
       person_id,
       name
FROM web.session_speakers

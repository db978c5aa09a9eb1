-- A row is one organiser of one event.
SELECT event_id,
       person_id,
       position
FROM web.event_organisers

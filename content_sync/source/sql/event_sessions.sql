-- A row is one entry of an event's agenda.
SELECT id,
       event_id,
       title,
       starts_at,
       ends_at,
       place,
       position
FROM web.event_sessions

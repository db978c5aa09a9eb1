-- A row is one event that people attend. Times are local to `timezone`.
SELECT id,
       title,
       description,
       starts_at,
       ends_at,
       timezone,
       place,
       status,
       capacity,
       registration_opens_at,
       registration_closes_at,
       form,
       answers_kept_days,
       access
FROM web.events

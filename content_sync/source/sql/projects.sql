-- A row is one research project; programme and theme place it in the research.
SELECT id,
       title,
       summary,
       programme,
       theme,
       starts_on,
       ends_on,
       status,
       budget,
       currency,
       lead_person_id,
       institution_id,
       url,
       access
FROM web.projects

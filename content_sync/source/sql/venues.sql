-- A row is one venue: a journal, a conference series, a report series.
SELECT id,
       name,
       short_name,
       issn,
       url
FROM web.venues

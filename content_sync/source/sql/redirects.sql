-- A row is one path of an older website and where it leads now.
SELECT old_path,
       target
FROM web.redirects

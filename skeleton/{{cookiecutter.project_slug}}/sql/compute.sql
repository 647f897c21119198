-- runs as the owner of the node; the date of the day is a setting
SELECT current_setting('josch_run.DATE')::date AS day,
       count(*) AS tables
FROM pg_catalog.pg_class;

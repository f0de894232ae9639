-- What was moved stays moved: the old tables hold it too.
SELECT seq FROM legacy_changes WHERE 1 = 0;

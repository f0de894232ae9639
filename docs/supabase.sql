-- SPOTS in a database that Supabase, or anything with its roles, also serves.
--
-- Supabase grants every new table of `public` to anon, authenticated and service_role, and its API
-- serves what they may read. Run this as the role that owns SPOTS' tables, after the first start of
-- `spots serve` or `spots migrate apply`, and again after each upgrade:
--
--     psql "$OWNER_URL" -v ON_ERROR_STOP=1 -f docs/supabase.sql
--
-- Afterwards anon and authenticated read the offer, authenticated also what `auth.uid()` owns, and
-- service_role, which row security does not bind, reads the offer and no more. Guests, shares, keys
-- and the mapping are reached through SPOTS alone, which records who looks. Tables that are not
-- SPOTS' stay as they are.
BEGIN;

-- Tables that this role adds later begin closed, too.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    REVOKE ALL ON TABLES FROM anon, authenticated, service_role;

DO $$
DECLARE
    spots regclass;
BEGIN
    FOR spots IN
        SELECT c.oid::regclass
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND EXISTS (
              SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'platform')
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, anon, authenticated, service_role', spots);
    END LOOP;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there are no tables of SPOTS in the schema public'
            USING HINT = 'start `spots serve` once, then run this again';
    END IF;
END $$;

-- What everybody sees of the offer.
GRANT SELECT (host_id, kind, name) ON hosts TO anon, authenticated, service_role;
GRANT SELECT (host_id, event_id, event_type, title, description, place, time_zone, schedule,
              capacity, party_max, called_off, last_end)
    ON events TO anon, authenticated, service_role;
GRANT SELECT ON event_slots, requirements, capacity_pools TO anon, authenticated, service_role;

DO $$
DECLARE
    offered text;
BEGIN
    FOREACH offered IN ARRAY ARRAY['hosts', 'events', 'event_slots', 'requirements', 'capacity_pools']
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS offer ON public.%I', offered);
        EXECUTE format(
            'CREATE POLICY offer ON public.%I FOR SELECT TO anon, authenticated USING (true)', offered);
    END LOOP;
END $$;

-- What a person owns by their account. The subquery is evaluated once a statement, not once a row.
GRANT SELECT ON sharing_defaults, host_members TO authenticated;
DROP POLICY IF EXISTS own ON sharing_defaults;
CREATE POLICY own ON sharing_defaults FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid())::text);
DROP POLICY IF EXISTS own ON host_members;
CREATE POLICY own ON host_members FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid())::text);

COMMIT;

DROP TABLE event_slots;
DROP TABLE events;
DROP TABLE requirements;
DROP TABLE host_members;
DROP TABLE hosts;

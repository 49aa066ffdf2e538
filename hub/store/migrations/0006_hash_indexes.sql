-- expand
-- Looked up by equality alone, and by random values: a hash index costs half of what a tree costs
-- on insert, and these are the largest indexes of what is only appended.
CREATE INDEX audit_event_hash ON audit USING hash (event_id);
CREATE INDEX audit_uid_hash ON audit USING hash (uid) WHERE uid IS NOT NULL;
CREATE INDEX delivery_event_hash ON delivery USING hash (event_id);
DROP INDEX audit_event, audit_uid, delivery_event;

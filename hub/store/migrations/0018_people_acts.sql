-- expand
-- What people did and read is a small part of the audit; the console looks it up by person, kind,
-- time and number.
CREATE INDEX audit_people ON audit (id) WHERE actor <> 'hub';
CREATE INDEX audit_people_actor ON audit (actor, id) WHERE actor <> 'hub';
CREATE INDEX audit_people_kind ON audit (kind, id) WHERE actor <> 'hub';
CREATE INDEX audit_people_at ON audit (at, id) WHERE actor <> 'hub';

-- Records that deciders read and write; columns are the fields of hub/model/records.py.
-- `rev` counts the writes of a row: an upsert that read another revision changes nothing.
CREATE TABLE person (
    uid bytea PRIMARY KEY,
    households json NOT NULL,
    facts json NOT NULL,
    identity json NOT NULL,
    rev bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE household (
    id text PRIMARY KEY,
    facts json NOT NULL,
    uids json NOT NULL,
    rev bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE referral (
    id text PRIMARY KEY,
    program text NOT NULL,
    subject_kind text NOT NULL,
    subject_ref text NOT NULL,
    episode text NOT NULL,
    uid bytea,
    household text,
    state text NOT NULL,
    correlation text NOT NULL,
    rule text NOT NULL,
    opened_at bigint NOT NULL,
    due_at bigint,
    closed_reason text,
    stop_decision text,
    stop_state text,
    spell_from bigint NOT NULL,
    spell_to bigint,
    history json NOT NULL,
    rev bigint NOT NULL
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX referral_subject ON referral (subject_ref, program, subject_kind, episode);
CREATE INDEX referral_uid ON referral (uid);
CREATE INDEX referral_household ON referral (household);
CREATE INDEX referral_opened ON referral (opened_at);

CREATE TABLE interest (
    uid bytea NOT NULL,
    program text NOT NULL,
    valid_from bigint NOT NULL,
    household text,
    valid_to bigint,
    quality text NOT NULL,
    referral text,
    rev bigint NOT NULL,
    PRIMARY KEY (uid, program, valid_from)
);
CREATE INDEX interest_household ON interest (household);

CREATE TABLE case_file (
    id text PRIMARY KEY,
    kind text NOT NULL,
    uid bytea,
    household text,
    state text NOT NULL,
    opened_by text NOT NULL,
    correlation text NOT NULL,
    opened_at bigint NOT NULL,
    closed_at bigint,
    outcome text,
    decision_id text,
    rev bigint NOT NULL
);
CREATE INDEX case_file_uid ON case_file (uid);
CREATE INDEX case_file_household ON case_file (household);

CREATE TABLE task (
    id text PRIMARY KEY,
    kind text NOT NULL,
    uid bytea,
    household text,
    state text NOT NULL,
    opened_by text NOT NULL,
    correlation text NOT NULL,
    opened_at bigint NOT NULL,
    owner_level text NOT NULL,
    due_at bigint,
    closed_at bigint,
    rev bigint NOT NULL
);
CREATE INDEX task_uid ON task (uid);
CREATE INDEX task_household ON task (household);

CREATE TABLE list_row (
    source text NOT NULL,
    list_ref text NOT NULL,
    row_no bigint NOT NULL,
    rows_total bigint NOT NULL,
    event_id text NOT NULL,
    uid bytea,
    type text NOT NULL,
    disposition text NOT NULL,
    detail text,
    answered boolean NOT NULL,
    case_id text,
    rev bigint NOT NULL,
    PRIMARY KEY (source, list_ref, row_no)
);
CREATE INDEX list_row_uid ON list_row (uid);

CREATE TABLE roster_row (
    recipient text NOT NULL,
    row_key text NOT NULL,
    uid bytea,
    household text,
    fields json NOT NULL,
    present boolean NOT NULL,
    digest text NOT NULL,
    rev bigint NOT NULL,
    PRIMARY KEY (recipient, row_key)
);
CREATE INDEX roster_row_uid ON roster_row (uid);
CREATE INDEX roster_row_household ON roster_row (household);

CREATE TABLE decision (
    id text PRIMARY KEY,
    state text NOT NULL,
    power text,
    person text,
    unit text,
    kind text,
    outcome text,
    event_id text,
    uid bytea,
    household text,
    parked json NOT NULL,
    at bigint NOT NULL,
    rev bigint NOT NULL
);

CREATE TABLE told (
    id text PRIMARY KEY,
    at bigint NOT NULL,
    copies json NOT NULL,
    void_by text,
    rev bigint NOT NULL
);

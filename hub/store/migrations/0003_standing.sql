-- expand
-- Claims know which log they were made on and whether their owners get anywhere; records that are
-- tried alone; alarms that outlive the process which raised them.
ALTER TABLE partition_claim
    -- The broker's id of the topic; another id means that the topic was deleted and made again.
    ADD COLUMN topic_id text,
    -- Where the claim stood when it was last taken, and how often in a row it was taken there.
    ADD COLUMN taken_offset bigint,
    ADD COLUMN taken_there int NOT NULL DEFAULT 0;

-- A record that is tried alone: the row is written before and goes away after. A row that stays
-- is a process that died meanwhile.
CREATE TABLE attempt (
    place text PRIMARY KEY,
    event_id text,
    owner text NOT NULL,
    count int NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE alarm (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    place text NOT NULL,
    detail text NOT NULL,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL,
    count int NOT NULL,
    cleared_at bigint
);
CREATE UNIQUE INDEX alarm_standing ON alarm (kind, place) WHERE cleared_at IS NULL;
CREATE INDEX alarm_last ON alarm (last_at);

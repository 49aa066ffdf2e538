-- expand
-- What the sampler sees, its history, and what operators tell it. Instants are ms since 1970.
CREATE TABLE picture (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    number bigint NOT NULL,
    at bigint NOT NULL,
    doc bytea NOT NULL
) WITH (fillfactor = 50);

-- History as arrays: a row holds the points of one figure over a chunk of time.
-- Level 0: a point each 5 s, kept 1 h; 1: each minute, kept 24 h; 2: each 10 min, kept 10 d.
CREATE TABLE series (
    level smallint NOT NULL,
    chunk bigint NOT NULL,
    key text NOT NULL,
    points real[] NOT NULL,
    PRIMARY KEY (key, level, chunk)
) WITH (fillfactor = 50);
CREATE INDEX series_age ON series (level, chunk);

-- What a connector on the department's side tells of itself every few seconds.
CREATE TABLE connector_heartbeat (
    connector text PRIMARY KEY,
    at bigint NOT NULL,
    instance text NOT NULL,
    paused boolean NOT NULL,
    doc json NOT NULL
) WITH (fillfactor = 50);

-- What operators ask of it; it takes the command with its next heartbeat and says when it obeyed.
CREATE TABLE connector_command (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connector text NOT NULL,
    command text NOT NULL,
    asked_by text NOT NULL,
    asked_at bigint NOT NULL,
    taken_at bigint,
    obeyed_at bigint,
    answer text
);
CREATE INDEX connector_command_open ON connector_command (connector) WHERE obeyed_at IS NULL;

CREATE TABLE maintenance (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    department text NOT NULL,
    from_at bigint NOT NULL,
    to_at bigint NOT NULL,
    note text NOT NULL,
    by text NOT NULL,
    at bigint NOT NULL
);
CREATE INDEX maintenance_span ON maintenance (to_at);

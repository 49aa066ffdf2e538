-- expand
-- Operations: dead letters that are redriven, offsets that are held and moved, and the persons who
-- ask for them and approve them.
ALTER TABLE dead_letter
    ADD COLUMN first_code text,
    -- When the connector made the record: only a later or equal record of its key settles it.
    ADD COLUMN recorded_at bigint,
    -- Broker's receipt of the record that told of it: where its bytes are looked for in dlq.*.
    ADD COLUMN told_at bigint,
    -- Where the bytes lie in dlq.hub.<topic>, once they were found.
    ADD COLUMN letter_part int,
    ADD COLUMN letter_off bigint,
    ADD COLUMN schema_id int,
    ADD COLUMN replayed_at bigint;
CREATE INDEX dead_letter_unsettled ON dead_letter (source, record_key) WHERE state <> 'settled';
CREATE INDEX dead_letter_failed ON dead_letter (failed_at);

-- A held claim is taken by no worker until somebody releases it.
ALTER TABLE partition_claim
    ADD COLUMN held_by text,
    ADD COLUMN held_at bigint;

CREATE TABLE operation (
    id text PRIMARY KEY,
    kind text NOT NULL,
    asked_by text NOT NULL,
    asked_at bigint NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    spec jsonb NOT NULL,
    total int NOT NULL,
    edited boolean NOT NULL,
    -- More than one record, or a changed one, takes a second person.
    two_persons boolean NOT NULL,
    approved_by text,
    state text NOT NULL CHECK (
        state IN ('asked', 'refused', 'ready', 'running', 'paused', 'stopped', 'done')),
    rate int NOT NULL CHECK (rate > 0),
    changed_at bigint NOT NULL,
    UNIQUE (id, asked_by),
    CHECK (two_persons OR (total <= 1 AND NOT edited)),
    CHECK (approved_by IS NULL OR approved_by <> asked_by),
    CHECK (state IN ('asked', 'refused', 'stopped') OR NOT two_persons OR approved_by IS NOT NULL)
);
CREATE INDEX operation_open ON operation (asked_at) WHERE state NOT IN ('done', 'refused');

-- A verdict names who asked, too, so that the store itself refuses one person's approval of his own.
CREATE TABLE approval (
    operation text NOT NULL,
    asked_by text NOT NULL,
    person text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('approved', 'refused')),
    reason text NOT NULL CHECK (reason <> ''),
    at bigint NOT NULL,
    PRIMARY KEY (operation, person),
    FOREIGN KEY (operation, asked_by) REFERENCES operation (id, asked_by),
    CHECK (person <> asked_by)
);
ALTER TABLE operation
    ADD CONSTRAINT operation_approval FOREIGN KEY (id, approved_by)
    REFERENCES approval (operation, person);

CREATE TABLE operation_item (
    operation text NOT NULL REFERENCES operation,
    n int NOT NULL,
    -- Dead letter, or event id of a replay.
    ref text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'done', 'skipped')),
    -- The changed value until it was sent.
    edited bytea,
    result text,
    done_at bigint,
    PRIMARY KEY (operation, n)
);
CREATE INDEX operation_item_waiting ON operation_item (operation, n) WHERE state = 'waiting';

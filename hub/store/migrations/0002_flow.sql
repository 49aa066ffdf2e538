-- How facts flow through the hub: claims, seen events, outbox, deliveries, timers, failures.
-- Instants named *_at are ms since 1970 by the hub's clock; leases use the database's clock.
CREATE TABLE partition_claim (
    topic text NOT NULL,
    part int NOT NULL,
    epoch bigint NOT NULL,
    owner text NOT NULL,
    next_offset bigint NOT NULL,
    committed_at bigint NOT NULL,
    PRIMARY KEY (topic, part)
) WITH (fillfactor = 50);

CREATE TABLE seen_event (
    month int NOT NULL,
    event_id uuid NOT NULL,
    digest bytea NOT NULL,
    disposition text NOT NULL,
    reason text,
    type text NOT NULL,
    part int NOT NULL,
    off bigint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (month, event_id)
) PARTITION BY RANGE (month);
CREATE TABLE seen_event_other PARTITION OF seen_event DEFAULT;

CREATE TABLE subscription (
    id text PRIMARY KEY,
    topic text NOT NULL,
    mode text NOT NULL DEFAULT 'kafka',
    generation int NOT NULL DEFAULT 1,
    next_seq bigint NOT NULL DEFAULT 1,
    sent_seq bigint NOT NULL DEFAULT 0,
    acked_seq bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    owner text NOT NULL DEFAULT '',
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    endpoint jsonb,
    failures int NOT NULL DEFAULT 0,
    open_until bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    subscription text NOT NULL,
    topic text NOT NULL,
    copy_id text NOT NULL,
    key bytea NOT NULL,
    headers bytea NOT NULL,
    body bytea NOT NULL,
    person_key bytea,
    event_id text NOT NULL,
    type text NOT NULL,
    created_at bigint NOT NULL,
    referral_id text,
    fields json NOT NULL,
    occurred_at bigint NOT NULL,
    PRIMARY KEY (subscription, id)
);

CREATE TABLE delivery (
    subscription text NOT NULL,
    generation int NOT NULL,
    seq bigint NOT NULL,
    topic text NOT NULL,
    copy_id text NOT NULL,
    key bytea NOT NULL,
    headers bytea NOT NULL,
    body bytea NOT NULL,
    person_key bytea,
    event_id text NOT NULL,
    type text NOT NULL,
    created_at bigint NOT NULL,
    referral_id text,
    fields json NOT NULL,
    occurred_at bigint NOT NULL,
    moved_at bigint NOT NULL,
    -- Kafka and pull: the subscription's cursor tells; a webhook keeps the state of each copy.
    state text NOT NULL DEFAULT 'cursor',
    attempts int NOT NULL DEFAULT 0,
    next_at bigint NOT NULL DEFAULT 0,
    error text,
    done_at bigint,
    PRIMARY KEY (subscription, generation, seq)
);
CREATE INDEX delivery_event ON delivery (event_id);
CREATE INDEX delivery_referral ON delivery (referral_id) WHERE referral_id IS NOT NULL;
CREATE INDEX delivery_open ON delivery (subscription, generation, seq)
    WHERE state IN ('waiting', 'parked');

CREATE TABLE timer (
    key text PRIMARY KEY,
    due_at bigint NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    cause text NOT NULL,
    correlation text NOT NULL,
    uid bytea,
    household text,
    jurisdiction text NOT NULL
);
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE dead_letter (
    id text PRIMARY KEY,
    stage text NOT NULL,
    topic text NOT NULL,
    part int NOT NULL,
    off bigint NOT NULL,
    source text NOT NULL,
    record_key text NOT NULL,
    event_id text,
    type text NOT NULL,
    correlation text NOT NULL,
    code text NOT NULL,
    category text NOT NULL,
    field text NOT NULL,
    detail text NOT NULL,
    key bytea,
    value bytea,
    headers bytea,
    attempts int NOT NULL,
    replays int NOT NULL DEFAULT 0,
    first_failed_at bigint NOT NULL,
    failed_at bigint NOT NULL,
    state text NOT NULL,
    settled_by text,
    settled_at bigint
);
CREATE INDEX dead_letter_open ON dead_letter (failed_at) WHERE state = 'open';
CREATE INDEX dead_letter_record ON dead_letter (source, record_key);
CREATE INDEX dead_letter_event ON dead_letter (event_id);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    event_id text,
    type text,
    uid bytea,
    household text,
    correlation text,
    doc json NOT NULL,
    -- Filled by the chaining job: hash over the previous hash and this row.
    hash bytea
);
CREATE INDEX audit_event ON audit (event_id);
CREATE INDEX audit_uid ON audit (uid) WHERE uid IS NOT NULL;
CREATE INDEX audit_correlation ON audit (correlation) WHERE correlation IS NOT NULL;

CREATE TABLE crash (
    place text PRIMARY KEY,
    topic text NOT NULL,
    part int NOT NULL,
    off bigint NOT NULL,
    event_id text,
    count int NOT NULL,
    error text NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE lease (
    name text PRIMARY KEY,
    owner text NOT NULL,
    epoch bigint NOT NULL,
    until timestamptz NOT NULL
);

CREATE TABLE connector_cursor (
    connector text NOT NULL,
    item text NOT NULL,
    position jsonb NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (connector, item)
);

CREATE TABLE connector_freshness (
    connector text NOT NULL,
    item text NOT NULL,
    polled_at bigint NOT NULL,
    changed_at bigint,
    records bigint NOT NULL DEFAULT 0,
    state text NOT NULL,
    error text,
    PRIMARY KEY (connector, item)
);

CREATE TABLE api_key (
    id text PRIMARY KEY,
    program text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    scopes jsonb NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    last_used_at bigint
);

-- expand
-- Alerts: what waits, fires and was resolved; where words go; what was sent. Instants are ms.
CREATE TABLE alert (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL,
    key text NOT NULL,
    severity text NOT NULL,
    finding json NOT NULL,
    since_at bigint NOT NULL,
    fired_at bigint,
    gone_at bigint,
    told_at bigint,
    resolved_at bigint,
    -- Who resolved it by hand; empty: it ended by itself.
    resolved_by text NOT NULL DEFAULT '',
    muted boolean NOT NULL DEFAULT false,
    held_back boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX alert_open ON alert (rule, key) WHERE resolved_at IS NULL;
CREATE INDEX alert_age ON alert (resolved_at DESC) WHERE resolved_at IS NOT NULL;

-- What an administrator changed about shipped rules.
CREATE TABLE alert_rule (
    rule text PRIMARY KEY,
    change json NOT NULL,
    by text NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE alert_channel (
    id text PRIMARY KEY,
    kind text NOT NULL,
    least text NOT NULL,
    rules text[] NOT NULL DEFAULT '{}',
    language text NOT NULL,
    config json NOT NULL,
    disabled_at bigint,
    by text NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE alert_mute (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL,
    who text NOT NULL,
    from_at bigint NOT NULL,
    to_at bigint NOT NULL,
    reason text NOT NULL,
    by text NOT NULL,
    at bigint NOT NULL
);
CREATE INDEX alert_mute_end ON alert_mute (to_at);

-- Words to channels. due_at moves on with every try; a row without sent_at or failed_at waits.
CREATE TABLE alert_notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert bigint REFERENCES alert (id) ON DELETE CASCADE,
    rule text NOT NULL,
    channel text NOT NULL REFERENCES alert_channel (id) ON DELETE CASCADE,
    message json NOT NULL,
    made_at bigint NOT NULL,
    due_at bigint NOT NULL,
    tries int NOT NULL DEFAULT 0,
    sent_at bigint,
    failed_at bigint,
    error text NOT NULL DEFAULT ''
);
CREATE INDEX alert_notice_due ON alert_notice (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX alert_notice_made ON alert_notice (made_at DESC);
CREATE INDEX alert_notice_alert ON alert_notice (alert);

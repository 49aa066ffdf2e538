-- expand
-- The console: accounts of people, their sessions. Instants are ms since 1970 by the hub's clock.
CREATE TABLE account (
    id text PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL,
    -- Connector or program whose pages a scoped role sees.
    scope text,
    extra text[] NOT NULL DEFAULT '{}',
    password text,
    totp bytea,
    totp_step bigint NOT NULL DEFAULT 0,
    subject text UNIQUE,
    failures int NOT NULL DEFAULT 0,
    locked_until bigint NOT NULL DEFAULT 0,
    disabled_at bigint,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    last_seen_at bigint
);

CREATE TABLE console_session (
    digest bytea PRIMARY KEY,
    account text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    csrf text NOT NULL,
    opened_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    until bigint NOT NULL
);
CREATE INDEX console_session_account ON console_session (account);

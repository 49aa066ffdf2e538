-- expand
-- What workers did that changed who works what: for people to read, nothing depends on it.
-- Kept for ten days and a bounded number of rows. Instants are ms since 1970 by the hub's clock.
CREATE TABLE worker_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    -- began, ended, took, lost, held, or what a newer release adds.
    kind text NOT NULL,
    -- Who did it; of a hold, the person.
    owner text NOT NULL,
    -- From whom partitions were taken, or who had the slot before; empty: nobody.
    former text NOT NULL DEFAULT '',
    slot text NOT NULL DEFAULT '',
    partitions int NOT NULL DEFAULT 0,
    -- Of those taken, how many stood where they had been taken before: their owners got nowhere.
    stood int NOT NULL DEFAULT 0,
    -- The highest epoch among them.
    epoch bigint NOT NULL DEFAULT 0
);
CREATE INDEX worker_event_at ON worker_event (at);

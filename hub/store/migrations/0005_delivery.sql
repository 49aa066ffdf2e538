-- expand
-- Delivery: why a copy was parked and who closed it, the order of a person at a webhook, and the
-- generations of a numbering. The previous release runs on this schema.
ALTER TABLE delivery
    -- 'refused': the receiver said no; 'exhausted': tried for a day.
    ADD COLUMN parked text,
    -- How often a receiver that was well again brought this copy back.
    ADD COLUMN heals int NOT NULL DEFAULT 0,
    ADD COLUMN closed_by text,
    ADD COLUMN closed_why text;
CREATE INDEX delivery_person ON delivery (subscription, person_key, generation, seq)
    WHERE state = 'waiting';

ALTER TABLE subscription
    -- A restored database was noticed: numbers go on in this generation and not in the old one.
    ADD COLUMN next_generation int,
    -- The generation acked_seq is of; null: the present one.
    ADD COLUMN acked_generation int;

-- Generations that ended, with the last number each of them is known to have given.
CREATE TABLE numbering (
    subscription text NOT NULL,
    generation int NOT NULL,
    last_seq bigint NOT NULL,
    ended_at bigint NOT NULL,
    why text NOT NULL,
    PRIMARY KEY (subscription, generation)
);

-- One row: which database this is; another one there means that a copy of it was put in place.
CREATE TABLE database_life (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    life text NOT NULL,
    noticed_at bigint NOT NULL
);

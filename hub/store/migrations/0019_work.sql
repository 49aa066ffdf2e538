-- expand
-- Incidents that people hand over, contacts on duty, and what reconciling and showing a department
-- its own facts read. Instants are ms since 1970 by the hub's clock.
CREATE TABLE incident (
    id text PRIMARY KEY,
    -- Key of the finding it was opened from; null: opened by hand.
    finding text,
    -- Department or program concerned; empty: the hub itself.
    who text NOT NULL,
    title text NOT NULL CHECK (title <> ''),
    opened_by text NOT NULL,
    opened_at bigint NOT NULL,
    owner text NOT NULL,
    ticket text,
    ticket_sent_at bigint,
    ticket_answered_at bigint,
    closed_by text,
    closed_at bigint,
    cause text,
    CHECK ((closed_at IS NULL) = (cause IS NULL)),
    CHECK (ticket_answered_at IS NULL OR ticket_sent_at IS NOT NULL)
);
-- One finding is one open incident, whoever presses first.
CREATE UNIQUE INDEX incident_finding ON incident (finding) WHERE closed_at IS NULL;
CREATE INDEX incident_opened ON incident (opened_at);

CREATE TABLE incident_note (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL REFERENCES incident,
    at bigint NOT NULL,
    by text NOT NULL,
    kind text NOT NULL CHECK (
        kind IN ('opened', 'note', 'handed', 'ticket_sent', 'ticket_answered', 'closed')),
    note text NOT NULL
);
CREATE INDEX incident_note_incident ON incident_note (incident);

-- Who is called: staff of a department or program, never a person who is helped.
CREATE TABLE contact (
    who text PRIMARY KEY,
    name text NOT NULL,
    phone text NOT NULL,
    by text NOT NULL,
    at bigint NOT NULL
);

-- Whose fact it was, so that a department can be shown what became of its own.
ALTER TABLE seen_event ADD COLUMN source text;

-- Days are looked up in tables that are only appended: block ranges cost next to nothing to keep.
CREATE INDEX seen_event_at ON seen_event USING brin (at) WITH (autosummarize = on);
CREATE INDEX delivery_moved ON delivery USING brin (moved_at) WITH (autosummarize = on);
CREATE INDEX referral_due ON referral (due_at) WHERE state IN ('created', 'accepted');
CREATE INDEX task_due ON task (due_at) WHERE closed_at IS NULL;

-- expand
-- When the receiver fetched a copy by its number, as it does with one that was parked.
ALTER TABLE delivery ADD COLUMN fetched_at bigint;

-- expand
-- Which redrive of its dead letter an item is, noted before the record is sent: a run that was cut
-- off sends the same one again and does not count it twice.
ALTER TABLE operation_item ADD COLUMN replay int;

-- expand
-- A matter is looked for by any of its ids; without these each look reads the whole table.
CREATE INDEX referral_correlation ON referral USING hash (correlation);
CREATE INDEX referral_episode ON referral USING hash (episode);
CREATE INDEX case_file_correlation ON case_file USING hash (correlation);
CREATE INDEX case_file_opener ON case_file USING hash (opened_by);
CREATE INDEX task_correlation ON task USING hash (correlation);
CREATE INDEX task_opener ON task USING hash (opened_by);

-- the department that a person works for, as incidents call it; NULL: none
ALTER TABLE ops.accounts ADD COLUMN department TEXT;

"""Whom a program's texts are from, and whether it advertises, is what people agreed to."""

from django.db import migrations

KEPT = """
CREATE FUNCTION consent_program_is_agreed_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM consent_consentevent WHERE program_id = OLD.id) THEN
        RAISE EXCEPTION 'people agreed to this program as it was: make another'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_program_stays_what_was_agreed_to';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_program_stays_what_was_agreed_to BEFORE UPDATE OF brand_id, category ON consent_program
FOR EACH ROW WHEN (OLD.brand_id <> NEW.brand_id OR OLD.category <> NEW.category)
EXECUTE FUNCTION consent_program_is_agreed_to();
"""
FREE = """
DROP TRIGGER a_program_stays_what_was_agreed_to ON consent_program;
DROP FUNCTION consent_program_is_agreed_to();
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0010_only_the_phone_lifts_a_no")]

    operations = [migrations.RunSQL(KEPT, FREE)]

"""Education bureau (教育局): enrolments, a file each term."""

"""
The forms in which one value may be written: case, joints, accents, encodings, dates, units.

An identity form is the value itself without what writers change. A transformed form is another value that a program
may have made this one from. A result is compared by its identity forms.
"""

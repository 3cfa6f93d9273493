"""The storage channel of a package: reservation commands, notes and beats, done by a child of its own."""

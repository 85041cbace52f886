//! Each rule of the floor that can match is reached by an alert that comes in through the console, with the verdict and
//! priority that the practice page gives it. A rule that becomes reachable without an entry here fails the test.

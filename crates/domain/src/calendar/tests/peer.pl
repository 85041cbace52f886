# Asks the Perl module Business::Hours, the service-level calendar of Request Tracker, for the due times in peer.csv.
# Its hours are the default ones, Monday to Friday 9 to 18; it is told Japan's holidays and our closed days.
#
# Debian: apt-get install libbusiness-hours-perl
# TZ=JST-9 perl peer.pl ../../../data/syukujitsu_utf8.csv > peer.csv
use strict;
use warnings;
use Business::Hours;
use POSIX qw(mktime strftime);

my @closed = qw(12-29 12-30 12-31 01-01 01-02 01-03);
while (my $line = <>) {
    push @closed, $1 if $line =~ /^(202[3-9]-\d\d-\d\d),/;
}
my $hours = Business::Hours->new;
$hours->holidays(@closed);

sub at { strftime("%Y-%m-%dT%H:%M:%S+09:00", localtime shift) }

sub answer {
    my ($start, $minutes) = @_;
    # The module names the open second after so many others. The end of the last second that counts is the due time; asked
    # the other way, a due time at closing would be the next opening.
    my $last = $hours->add_seconds($start, $minutes * 60 - 1);
    die "no answer from " . at($start) if $last < 0;
    print join(",", at($start), $minutes, at($last + 1)), "\n";
}

print "start,minutes,due\n";

# From the days around which something is closed, at times around opening and closing.
for my $day ([2026, 9, 18], [2026, 5, 1], [2027, 3, 19], [2026, 11, 2], [2026, 12, 28], [2026, 12, 31], [2026, 9, 24], [2024, 2, 29]) {
    for my $time ([8, 59, 59], [9, 0, 0], [17, 0, 0], [17, 0, 1], [17, 30, 0], [17, 59, 0], [18, 0, 0]) {
        my ($y, $m, $d) = @$day;
        my ($hour, $minute, $second) = @$time;
        answer(mktime($second, $minute, $hour, $d, $m - 1, $y - 1900), 60);
    }
}

# And anywhere in four years, from a generator of our own so that every machine asks the same.
my $state = 4711;
sub below {
    $state = ($state * 1103515245 + 12345) % 2**31;
    return int($state / 2**31 * shift);
}
my $first = mktime(0, 0, 0, 1, 0, 124);
my $range = mktime(0, 0, 0, 1, 11, 127) - $first;
answer($first + below($range), 1 + below(3000)) for 1 .. 400;

"""Words of a prompt that say nothing about resources; any other word that no pattern takes up is told."""

_FILLER_WORDS = """
a able about access account across actually add after against all allow allowing allows also
amazon an and another any anything anywhere app application are as at attach attached available
aws backend basic be best bit both build but by called can can't code configuration configure
configured cool could create created creates creating default define deploy do doesn't don't e.g
each ec2 enable enabled encrypted encryption ensure etc every everything example fan fans file
files following for from generate get gets getting give given gives go goes good great has have
hcl hello help hey hi hmm how i i'd i'm i've if in incoming infrastructure inside into is it it's
its just kind launch let lets like linux make makes may me message messages might module more must
my name named names need needed needs new next nice no not now of ok okay on once one ones only or
our out own per please pls plus practice practices process processes processing production project
properly provide provision quick quickly reachable ready really region resource resources
respectively run running script secure secured server serverless service services serving set
setting settings setup should show simple snippet so some someone something sorry sort specific
specified stack standard stored supports tell template terraform thank thanks that the their them
then there these they thing things this to too trigger triggered triggers turn turned two up us
use used uses using via want we we'd we're web well what when whenever where which while whose
will with within without would write writing written yes you you'd your
"""
FILLER = frozenset(_FILLER_WORDS.split())

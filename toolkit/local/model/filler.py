"""Words of a prompt that say nothing about resources; any other word that no pattern takes up is told."""

_FILLER_WORDS = """
a about access account across add after against all allow allowing allows also amazon an and
another any anywhere app application are as at attach attached available aws backend basic be
best both build but by called can code configuration configure configured could create created
creates creating default define deploy do each ec2 enable enabled encrypted encryption every
fan fans file files following for from generate give given has have hello help hey hi
how i if in incoming infrastructure inside into is it it's its just kind launch let like linux
make makes me message messages module must my name named names need needed needs new no not of
on one only or our out own per please plus practice practices process processes processing
production project properly provision reachable ready region resource resources run running
script secure secured server serverless service services set setting settings setup should
simple so some stack standard stored supports template terraform thank thanks that the their
them then there these they this to too trigger triggered triggers two up us use used uses using
via want we web what when where which while will with within without would write writing you
your
"""
FILLER = frozenset(_FILLER_WORDS.split())

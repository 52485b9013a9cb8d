"""The closed classes of English words that tell where a noun phrase begins and ends."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DETERMINERS = words(
    "a an the some any my your his her our their its this that these those another each every no both all "
    "few several many more much enough one's"
)
PRONOUNS = words(
    "i me we us you he him she it they them who whom myself yourself something anything everything someone "
    "anyone there here what which one ones im id ive ill we'll i'd i'm i've i'll we'd we're it's that's u"
)
PREPOSITIONS = words(
    "with without for in at on to from by under below over above around about near between of off into "
    "onto "
    "within through during before after until till against across along beside behind as like than via "
    "per up "
    "out down since except plus"
)
CONJUNCTIONS = words(
    "and or but so because if when while since then although though nor also either whether plus"
)
AUXILIARIES = words(
    "is are was were be been being am do does did have has had will would can could should shall may "
    "might must "
    "need needs needed want wants wanted wanna gonna gotta don't doesn't didn't isn't aren't won't "
    "can't cannot "
    "couldn't wouldn't shouldn't not let let's lets is't cant dont wont"
)
POLITE = words(
    "please pls plz thanks thank thx hi hello hey ok okay yes yeah yep sure well actually just really "
    "very too "
    "maybe perhaps only right now again quite also ideally preferably definitely probably currently still "
    "already kindly sorry nope no hopefully basically oh ah um hmm good-day sir madam mate dear"
)
# Verbs after which people name what they need, and verbs of doing that may stand between.
WANT = words("want wants need needs like love prefer require wanna wish fancy")
OBTAIN = words(
    "gimme buy buying order ordering get getting have having find finding book booking reserve reserving "
    "rent renting hire hiring purchase purchasing see seeing watch take taking try trying "
    "grab pick choose use add "
    "include bring give show "
    "recommend suggest offer sell stock carry schedule make arrange look looking search searching send "
    "deliver hear try "
    "upgrade replace switch change listen check subscribe sign set spend eat drink"
)
# Verbs that end a noun phrase when they stand after one.
BOUNDARY_VERBS = words(
    "is are was were has have had does do did can could will would should must may might fits fit works "
    "work serves "
    "serve seats seat comes come costs cost speaks speak starts start includes include offers offer "
    "plays play goes go "
    "delivered delivering arriving starting ending leaving going coming called named made built cleaned "
    "repaired fixed "
    "serviced done sent looking please that which who whose where whether because if so and or but then "
    "plus"
)
COLOURS = words(
    "black white red blue green yellow pink purple brown grey gray orange silver gold beige navy "
    "turquoise cream "
    "maroon violet teal ivory charcoal transparent"
)
SIZES = words(
    "small medium large big tiny huge mini regular full half double single twin king queen short long "
    "tall wide xl xxl "
    "xs extra-large extra-small oversized compact thin thick slim narrow deep family personal standard "
    "bigger smaller "
    "larger longer shorter"
)
QUALITIES = words(
    "new used old fresh hot cold warm spicy mild sweet sour plain light heavy soft hard firm quiet loud "
    "fast slow good "
    "nice decent great best better simple easy basic fancy quick cheap cheaper affordable expensive "
    "modern classic "
    "vintage original direct non-stop nonstop private shared indoor outdoor wireless portable "
    "waterproof digital "
    "acoustic electric manual automatic organic vegan vegetarian gluten-free halal kosher sugar-free "
    "dairy-free round "
    "square flat open closed unlimited free male female left-handed right-handed second-hand secondhand "
    "refurbished "
    "handmade leather wooden oak metal plastic steel cotton wool silk glass premium luxury "
    "family-friendly pet-friendly "
    "formal casual romantic cosy cozy safe clean bright dark matte glossy strong weak rare well-done "
    "crispy grilled "
    "fried baked roasted vanilla chocolate strawberry decaf iced diet skinny skimmed whole stuffed "
    "furnished reliable "
    "comfortable comfy durable sturdy lightweight foldable rechargeable"
)
VAGUE_NOUNS = words("kind sort type couple pair set lot bit number piece pieces dozen bunch plenty few lots")
BEFORE_A_DOING = words("be i'm im am we're he's she's not")
SEARCHING = words("looking searching hunting shopping hoping look search")
SECOND_HALVES = words("free friendly handed size sized proof cancelling canceling hand safe")
# Heads of phrases that speak about the wish and not about its object.
NOT_GOODS = words(
    "budget price prices cost costs question questions help information info details adult adults child "
    "children kid "
    "kids people person persons guest guests infant infants problem way time thing things name day days "
    "month week "
    "person idea option options lot deal interest"
)
NO_PHRASE = (
    PRONOUNS
    | AUXILIARIES
    | POLITE
    | BOUNDARY_VERBS
    | OBTAIN
    | WANT
    | SEARCHING
    | PREPOSITIONS
    | CONJUNCTIONS
    | DETERMINERS
    | words("interested somewhere")
)
ENDS_PHRASE = PREPOSITIONS | CONJUNCTIONS | PRONOUNS | AUXILIARIES | POLITE | DETERMINERS
NOT_IN_A_LIST = PRONOUNS | AUXILIARIES | PREPOSITIONS | BOUNDARY_VERBS
ADJECTIVE_ENDINGS = (
    "able", "ible", "ful", "less", "ous", "ive", "ish", "proof", "friendly", "sized", "handed", "free", "ese",
    "ian", "ican", "ic", "est", "like", "based", "ary",
)  # fmt: skip
NOT_ADJECTIVES = words(
    "music fabric traffic clinic picnic topic plastic mechanic technician musician electrician "
    "physician italic "
    "dictionary library salary diary anniversary secretary interest forest guest chest rest test olive "
    "drive wives "
    "live fish dish radish cheese republic logic basic politician dietitian guardian cable table "
    "vegetable beautician"
)


def is_adjective(word: str) -> bool:
    """Whether a word before a noun describes it, by a short list and by its ending."""
    low = word.lower()
    if low in COLOURS or low in SIZES or low in QUALITIES:
        return True
    return low not in NOT_ADJECTIVES and len(low) > 4 and low.endswith(ADJECTIVE_ENDINGS)

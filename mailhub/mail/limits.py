"""How much of one mail is read: beyond the first set a person should look, beyond the second reading stops.

A mail is never refused for its form: it is kept, read as far as is cheap, and marked (desk.md S16).
"""

# Over one of these a mail is marked `over_limits`, though everything is still read.
PARTS = 500
HEADER_FIELDS = 500
HEADER_OCTETS = 64 * 1024
ADDRESSES = 200

# These are never passed: what lies beyond stays in the raw mail only.
DEPTH = 100  # levels of MIME; Python itself gives up at a thousand calls
PARTS_READ = 10_000
BOUNDARIES_READ = 200_000  # of all levels together
UNWRAPPED_OCTETS = 32 * 1024 * 1024  # of messages and multiparts that came encoded as a whole
FIELDS_READ = 100_000
HEADER_OCTETS_READ = 2 * 1024 * 1024
ADDRESS_CHARACTERS_READ = 128 * 1024  # of all fields of one name together
ADDRESSES_READ = 4000  # idem
IDS_READ = 1000  # of one References header
ID_OCTETS = 998  # of one id: a line of a mail holds no more (RFC 5322 section 2.1.1)
PARAMETER_CHARACTERS_READ = 64 * 1024  # of one Content-Type or Content-Disposition
HTML_CHARACTERS_READ = 1024 * 1024  # turned into text
TNEF_OCTETS_READ = 32 * 1024 * 1024
FILENAME_OCTETS = 255  # the longest name common file systems take

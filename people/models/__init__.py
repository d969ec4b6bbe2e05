"""What is true of people, organisations and everything both halves of the product share."""

from people.models.accounts import DeviceSession, Membership, PasswordTries, SignInCode, User
from people.models.answers import StoredAnswer
from people.models.employment import EmploymentSpell
from people.models.files import StoredFile, UploadSession
from people.models.journal import JournalEntry
from people.models.notices import Notice
from people.models.organisations import Organisation
from people.models.persons import Acquaintance, Person, PersonCategory, PersonClaim
from people.models.policies import Policy
from people.models.regions import Region

__all__ = [
    "Acquaintance",
    "DeviceSession",
    "EmploymentSpell",
    "JournalEntry",
    "Membership",
    "Notice",
    "Organisation",
    "PasswordTries",
    "Person",
    "PersonCategory",
    "PersonClaim",
    "Policy",
    "Region",
    "SignInCode",
    "StoredAnswer",
    "StoredFile",
    "UploadSession",
    "User",
]

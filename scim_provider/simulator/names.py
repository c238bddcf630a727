"""Names, places and work as they are found around the world, for made-up people."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

#: Letters that do not come apart into a plain one and an accent.
_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "ı": "i", "đ": "d", "æ": "ae", "'": ""})


@dataclass(frozen=True)
class Name:
    """One name as it is written, and as it stands in an e-mail address."""

    text: str
    mailbox: str


@dataclass(frozen=True)
class Culture:
    """People of one language: their names and where they work."""

    locale: str
    timezone: str
    country: str
    dialling: str
    given: tuple[Name, ...]
    family: tuple[Name, ...]
    cities: tuple[str, ...]
    #: Whether the family name is written first, without a blank between.
    family_first: bool = False


def _names(text: str) -> tuple[Name, ...]:
    """``Ana Zoë`` or, in other scripts, ``Ольга:olga``."""
    return tuple(_name(*word.partition(":")[::2]) for word in text.split())


def _name(text: str, latin: str) -> Name:
    plain = unicodedata.normalize("NFKD", (latin or text).lower().translate(_PLAIN))
    return Name(text, plain.encode("ascii", "ignore").decode())


def _culture(
    place: str, given: str, family: str, cities: str, *, family_first: bool = False
) -> Culture:
    locale, timezone, dialling = place.split()
    country = locale.rpartition("-")[2]
    names = _names(given), _names(family)
    return Culture(locale, timezone, country, dialling, *names, tuple(cities.split()), family_first)


CULTURES = (
    _culture(
        "en-US America/New_York +1",
        "James Mary Robert Grace Daniel Olivia Malik Aisha Ethan Chloe",
        "Smith Johnson O'Neill Washington Nguyen Garcia Miller Brooks",
        "Boston Chicago Austin Seattle",
    ),
    _culture(
        "en-GB Europe/London +44",
        "Oliver Amelia Harry Isla George Priya Callum Freya",
        "Taylor Evans MacDonald Patel Hughes Shaw Wright",
        "London Leeds Bristol Cardiff",
    ),
    _culture(
        "pt-PT Europe/Lisbon +351",
        "Ana João Inês Duarte Conceição Tomás Leonor Rui",
        "Silva Gonçalves Ferreira Simões Araújo Lourenço",
        "Lisboa Porto Braga Évora",
    ),
    _culture(
        "de-DE Europe/Berlin +49",
        "Jonas Greta Jürgen Käthe Björn Sören Anneliese Lukas",
        "Weiß Müller Schröder Großmann Köhler Bauer Jäger",
        "Berlin München Köln Leipzig",
    ),
    _culture(
        "fr-FR Europe/Paris +33",
        "Chloé Léa François Étienne Maëlle Hugo Noël Zoé",
        "Martin Lefèvre Dubois Bérenger Moreau Gauthier",
        "Paris Lyon Nîmes Besançon",
    ),
    _culture(
        "es-MX America/Mexico_City +52",
        "José Sofía Íñigo Begoña Ramón Lucía Andrés Itzel",
        "García Núñez Ibáñez Peña Hernández Muñoz",
        "Mérida Puebla Querétaro León",
    ),
    _culture(
        "sv-SE Europe/Stockholm +46",
        "Åsa Björn Eva Östen Märta Nils Linnéa",
        "Lindqvist Åkesson Sjöberg Öberg Nyström",
        "Stockholm Göteborg Malmö Umeå",
    ),
    _culture(
        "pl-PL Europe/Warsaw +48",
        "Łukasz Małgorzata Zbigniew Agnieszka Paweł Żaneta",
        "Wiśniewski Dąbrowska Łuczak Zając Kowalczyk",
        "Warszawa Łódź Kraków Gdańsk",
    ),
    _culture(
        "tr-TR Europe/Istanbul +90",
        "Işıl İbrahim Çağla Ömer Şule Gülşen Barış",
        "Yılmaz Öztürk Çelik Şahin Doğan",
        "İstanbul İzmir Ankara Bursa",
    ),
    _culture(
        "vi-VN Asia/Ho_Chi_Minh +84",
        "Nguyệt Dũng Thảo Đức Hạnh Tuấn",
        "Nguyễn Trần Phạm Đặng Lê",
        "Huế Vinh",
    ),
    _culture(
        "ru-RU Europe/Moscow +7",
        "Дмитрий:dmitri Ольга:olga Сергей:sergei Наталья:natalia Фёдор:fyodor",
        "Петров:petrov Соколов:sokolov Щербаков:shcherbakov Журавлёв:zhuravlyov",
        "Москва Казань Пермь",
    ),
    _culture(
        "el-GR Europe/Athens +30",
        "Γιώργος:giorgos Ελένη:eleni Νίκος:nikos Σοφία:sofia Χρήστος:christos",
        "Παπαδόπουλος:papadopoulos Οικονόμου:oikonomou Γεωργίου:georgiou",
        "Αθήνα Πάτρα Βόλος",
    ),
    _culture(
        "ar-EG Africa/Cairo +20",
        "محمد:mohamed فاطمة:fatma يوسف:youssef مريم:mariam خالد:khaled",
        "حداد:haddad منصور:mansour الشريف:elsherif سليمان:soliman",
        "القاهرة الإسكندرية أسوان",
    ),
    _culture(
        "he-IL Asia/Jerusalem +972",
        "נועה:noa דוד:david תמר:tamar איתן:eitan",
        "כהן:cohen לוי:levi מזרחי:mizrahi",
        "חיפה ירושלים",
    ),
    _culture(
        "hi-IN Asia/Kolkata +91",
        "आरव:aarav अनन्या:ananya विवेक:vivek सीता:sita रोहन:rohan",
        "शर्मा:sharma पटेल:patel गुप्ता:gupta सिंह:singh",
        "मुंबई पुणे दिल्ली",
    ),
    _culture(
        "zh-CN Asia/Shanghai +86",
        "伟:wei 芳:fang 秀英:xiuying 敏:min 静:jing 磊:lei",
        "王:wang 李:li 张:zhang 刘:liu 陈:chen 欧阳:ouyang",
        "上海 北京 成都",
        family_first=True,
    ),
    _culture(
        "ja-JP Asia/Tokyo +81",
        "陽翔:haruto 葵:aoi 蓮:ren さくら:sakura 大輔:daisuke",
        "佐藤:sato 鈴木:suzuki 髙橋:takahashi 渡邊:watanabe",
        "東京 大阪 札幌",
        family_first=True,
    ),
    _culture(
        "ko-KR Asia/Seoul +82",
        "민준:minjun 서연:seoyeon 지우:jiwoo 하은:haeun",
        "김:kim 이:lee 박:park 최:choi",
        "서울 부산 대전",
        family_first=True,
    ),
    _culture(
        "th-TH Asia/Bangkok +66",
        "สมชาย:somchai มาลี:malee อนันต์:anan",
        "ใจดี:jaidee แสงทอง:saengthong",
        "กรุงเทพ เชียงใหม่",
    ),
)

#: Department → its division and the titles of the people in it.
DEPARTMENTS = {
    "Engineering": ("Product", ("Engineer", "Senior Engineer", "Architect", "Test Engineer")),
    "Design": ("Product", ("Designer", "Researcher", "Writer")),
    "Product Management": ("Product", ("Product Manager", "Analyst")),
    "Operations": ("Product", ("Operator", "Site Reliability Engineer")),
    "Sales": ("Market", ("Account Executive", "Sales Engineer", "Representative")),
    "Marketing": ("Market", ("Campaign Manager", "Copywriter", "Event Manager")),
    "Customer Support": ("Market", ("Support Agent", "Support Lead")),
    "Finance": ("Services", ("Accountant", "Controller", "Buyer")),
    "People": ("Services", ("Recruiter", "Partner", "Trainer")),
    "Legal": ("Services", ("Counsel", "Paralegal")),
    "IT": ("Services", ("Administrator", "Technician")),
    "Facilities": ("Services", ("Facility Manager", "Receptionist")),
}

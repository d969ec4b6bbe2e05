"""Stored files and the sessions in which they arrive."""

from typing import IO, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.access import SIGNED_IN
from api.downloads import link
from api.inputs import Form
from api.outputs import RowSerializer
from api.resource import Resource
from people import files, images, uploads
from people.models import StoredFile, UploadSession

# Rosters have a door of their own, which reads them and keeps none.
PURPOSES = [choice for choice in StoredFile.Purpose.choices if choice[0] != "roster"]
REFUSED = [
    files.FileTooLarge,
    files.BadFileName,
    files.WrongDigest,
    files.WrongMediaType,
    images.UnreadableImage,
]


class OctetStream(BaseParser):
    """Raw bytes, no more than a part can have."""

    media_type = "application/octet-stream"

    def parse(self, stream: IO[Any], *_: Any, **__: Any) -> Any:
        # One byte too many is enough to refuse the part.
        return stream.read(uploads.PART_SIZE + 1)


class VariantAnswer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(choices=["w160", "w480", "w960"])
    url = serializers.URLField(max_length=400)
    width = serializers.IntegerField(min_value=1, max_value=960)
    height = serializers.IntegerField(min_value=1, max_value=images.MAX_SIDE)
    size = serializers.IntegerField(min_value=1, max_value=files.MAX_BYTES)


class StoredFileSerializer(RowSerializer[StoredFile]):
    """``sha256`` is that of the bytes as sent, ``size`` that of the bytes behind ``url``."""

    url = serializers.SerializerMethodField()
    variants = serializers.SerializerMethodField()
    size = serializers.IntegerField(min_value=0, max_value=2147483647)
    width = serializers.IntegerField(min_value=1, max_value=images.MAX_SIDE, allow_null=True)
    height = serializers.IntegerField(min_value=1, max_value=images.MAX_SIDE, allow_null=True)

    class Meta:
        model = StoredFile
        fields = [
            "id",
            "purpose",
            "name",
            "media_type",
            "size",
            "sha256",
            "width",
            "height",
            "url",
            "variants",
            "created_at",
        ]

    @extend_schema_field(serializers.URLField(max_length=400))
    def get_url(self, file: StoredFile) -> str:
        return link(file, to=self.context["request"].user)

    @extend_schema_field(VariantAnswer(many=True))
    def get_variants(self, file: StoredFile) -> list[dict[str, Any]]:
        user = self.context["request"].user
        return [
            {
                "name": each["name"],
                "url": link(file, each["name"], to=user),
                "width": each["width"],
                "height": each["height"],
                "size": each["size"],
            }
            for each in file.variants
        ]


class FileForm(Form):
    file = serializers.FileField(max_length=120)
    purpose = serializers.ChoiceField(choices=PURPOSES)
    sha256 = serializers.RegexField(r"^[0-9a-fA-F]{64}$", max_length=64)


class UploadForm(Form):
    name = serializers.RegexField(
        rf"^{files.PLAIN_NAME.pattern}$",
        max_length=120,
        error_messages={"invalid": _("Give the bare name of the file.")},
    )
    size = serializers.IntegerField(min_value=1, max_value=files.MAX_BYTES)
    sha256 = serializers.RegexField(r"^[0-9a-fA-F]{64}$", max_length=64)
    purpose = serializers.ChoiceField(choices=PURPOSES)


class Files(mixins.RetrieveModelMixin, Resource):
    """The caller's own files; others reach them through the objects they belong to."""

    tag = "files"
    noun = "file"
    queryset = StoredFile.objects.all()
    serializer_class = StoredFileSerializer
    parser_classes = [MultiPartParser]
    may = {"create": SIGNED_IN, "retrieve": SIGNED_IN}
    refuses = {"create": REFUSED}

    @extend_schema(request={"multipart/form-data": FileForm}, responses={201: StoredFileSerializer})
    def create(self, request: Request) -> Response:
        """Hand in a file of at most 10 MiB.

        Pictures (JPEG, PNG, WEBP; at most 20 megapixels) are written anew without EXIF and get
        smaller copies; documents and evidence may also be PDF. The same bytes for the same
        purpose are acknowledged, not kept twice.
        """
        asked = self.form(FileForm)
        upload = asked["file"]
        if upload.size > files.MAX_BYTES:
            raise files.FileTooLarge(bytes_allowed=files.MAX_BYTES)
        file = files.store(
            upload.read(),
            upload.name,
            asked["purpose"],
            asked["sha256"],
            by=self.user,
            at=self.at,
        )
        return self.answer(file, 201)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a file of one's own, with fresh links.

        A link works for the caller alone and for at most five minutes.
        """
        return super().retrieve(request, *args, **kwargs)


class UploadSessionSerializer(RowSerializer[UploadSession]):
    received_parts = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=39), max_length=40, read_only=True
    )
    size = serializers.IntegerField(min_value=1, max_value=files.MAX_BYTES)
    part_size = serializers.IntegerField(min_value=1, max_value=uploads.PART_SIZE)

    class Meta:
        model = UploadSession
        fields = [
            "id",
            "purpose",
            "name",
            "size",
            "sha256",
            "part_size",
            "received_parts",
            "file_id",
            "created_at",
            "expires_at",
        ]


class UploadSessions(mixins.RetrieveModelMixin, Resource):
    """Files that arrive in parts; a session lasts a day."""

    tag = "files"
    noun = "upload session"
    queryset = UploadSession.objects.all()
    serializer_class = UploadSessionSerializer
    may = {"create": SIGNED_IN, "retrieve": SIGNED_IN, "complete": SIGNED_IN}
    refuses = {
        "create": [uploads.TooManyUploads],
        "complete": [uploads.PartsMissing, uploads.UploadClosed, *REFUSED],
    }

    @extend_schema(request=UploadForm, responses={201: UploadSessionSerializer})
    def create(self, request: Request) -> Response:
        """Open a session for a file of at most 10 MiB.

        Send the parts in any order, each of ``part_size`` bytes but for the last one.
        """
        session = uploads.begin(**self.form(UploadForm), by=self.user, at=self.at)
        return self.answer(session, 201)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show which parts have arrived."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=None, responses={201: StoredFileSerializer})
    def complete(self, request: Request, pk: UUID) -> Response:
        """Put the parts together and keep the file.

        The whole is checked like a file sent at once; a part that arrived damaged can be sent
        again.
        """
        file = uploads.complete(self.get_object(), by=self.user, at=self.at)
        shown = StoredFileSerializer(file, context={"request": request}).data
        return Response(shown, status=201, headers={"ETag": f'"{shown["version"]}"'})


class UploadParts(Resource):
    """The parts of one upload session, counted from 0."""

    tag = "files"
    noun = "upload part"
    queryset = UploadSession.objects.all()
    serializer_class = UploadSessionSerializer
    parser_classes = [OctetStream]
    may = {"update": SIGNED_IN}
    refuses = {"update": [uploads.WrongPart, uploads.UploadClosed]}

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={200: UploadSessionSerializer},
    )
    def update(self, request: Request, pk: UUID, number: int) -> Response:
        """Send one part as raw bytes.

        Part n begins at byte n × ``part_size``. Sent again, it replaces itself.
        """
        sent: Any = request.data
        # Without a body no parser runs, and there are no bytes.
        content = sent if isinstance(sent, bytes) else b""
        session = uploads.receive(self.get_object(), number, content, by=self.user, at=self.at)
        return self.answer(session)

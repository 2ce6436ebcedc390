from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from chains import permissions
from chains.errors import DomainError
from chains.forms.capability_photos import CapabilityPhotoForm
from chains.http import HttpRequest, MemberRequest
from chains.models import Capability, CapabilityPhoto, Enterprise
from chains.services import capability_photos
from chains.views.downloads import show
from chains.views.refusals import refusal


@require_http_methods(["GET", "POST"])
def capability_photo_list(request: MemberRequest, public_id: str) -> HttpResponse:
    capability = get_object_or_404(
        Capability.objects.filter(
            enterprise__in=Enterprise.objects.own(request.user)
        ).select_related("enterprise"),
        public_id=public_id,
    )
    form = CapabilityPhotoForm()
    if request.method == "POST":
        form = CapabilityPhotoForm(request.POST, request.FILES)
        try:
            if "remove" in request.POST:
                photo = get_object_or_404(capability.photos, public_id=request.POST["remove"])
                capability_photos.remove(photo=photo, by=request.user)
                messages.success(request, _("The photo is taken off."))
                return redirect("chains:capability_photo_list", public_id=public_id)
            if form.is_valid():
                capability_photos.add(
                    capability=capability,
                    upload=form.cleaned_data["upload"],
                    caption=form.cleaned_data["caption"],
                    by=request.user,
                )
                messages.success(request, _("The photo is kept with the capability."))
                return redirect("chains:capability_photo_list", public_id=public_id)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error("upload", str(error))
    photos = list(capability.photos.all())
    return render(
        request,
        "chains/capability_photos.html",
        {
            "nav": "profile",
            "enterprise": capability.enterprise,
            "capability": capability,
            "photos": photos,
            "form": form,
            "may_edit": permissions.can_edit(request.user, capability.enterprise),
            "has_room": len(photos) < CapabilityPhoto.MOST,
        },
        status=422 if form.errors else 200,
    )


@login_not_required
@require_safe
def capability_photo(request: HttpRequest, public_id: str, version: str) -> HttpResponseBase:
    row = get_object_or_404(CapabilityPhoto.objects.visible_to(request.user), public_id=public_id)
    if version != row.version:
        raise Http404
    for_everybody = CapabilityPhoto.objects.visible_to(AnonymousUser()).filter(pk=row.pk).exists()
    return show(row, for_everybody=for_everybody)
